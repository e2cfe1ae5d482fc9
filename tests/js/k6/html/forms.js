// What a form says of itself: values and entries of its controls, by k6's strict rules.
// console: a=1&a2=x+y&m=p&m=q&s=2
// console: [{"name":"a","value":"0"},{"name":"a","value":"1"},{"name":"a2","value":"x y"},{"name":"s","value":"2"},{"name":"m","value":["p","q"]}]
// console: {"a":"1","a2":"x y","s":"2","m":["p","q"]}
// console: a=0 {"t":"b"}
import { parseHTML } from 'k6/html';

export default function () {
  const form = parseHTML(`<form><input name="a" value="0"><input name="a" value="1"><textarea name="a2">x y</textarea>
<input type="checkbox" name="c" checked><select name="s"><option>1<option value="2" selected>two</select>
<select name="m" multiple><option selected>p<option selected>q<option>r</select><button name="b" value="b">b</button></form>
<input name="t" value="b">`).find('form');
  console.log(form.serialize());
  console.log(JSON.stringify(form.serializeArray()));
  console.log(JSON.stringify(form.serializeObject()));
  console.log(form.find('input').first().serialize(), JSON.stringify(form.next().serializeObject()));
}
