// Secrets come from the sources of the command line, and no log line shows them.
// args: --secret-source=mock=name=first,default,user=ann42,pass=s3cr3t=x --secret-source=mock=name=second,user=bob43
// console: true string 5 true
// console: true true
// console: no value | no value
// console: function no secret source with name "nope" is configured
// console: it is ***SECRET_REDACTED*** { v: "***SECRET_REDACTED***" }
import secrets from 'k6/secrets';

export default async function () {
  const promise = secrets.get('user');
  const user = await promise;
  console.log(promise instanceof Promise, typeof user, user.length, user === 'ann' + 42);
  const [pass, other] = await Promise.all([secrets.get('pass'), secrets.source('second').get('user')]);
  console.log(pass === 's3cr' + '3t=x', other === 'bob' + 43);
  const refused = (promise) => promise.catch((error) => String(error.message || error));
  console.log(await refused(secrets.get('nope')), '|', await refused(secrets.get('')));
  const nowhere = secrets.source('nope');
  console.log(typeof nowhere.get, await refused(nowhere.get('user')));
  console.log('it is ' + user, { v: pass });
}
