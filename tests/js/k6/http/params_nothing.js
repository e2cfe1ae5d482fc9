// What is given as nothing is something for some names.
// console: timeout 0 invalid timeout value: unable to use type <nil> as a duration value
// console: compression 0 unknown compression algorithm null, supported algorithms are [gzip deflate zstd br]
// console: responseType 0 null does not belong to ResponseType values
// console: headers 200
// console: tags 200
// console: responseCallback 200
// console: undefined 0 unknown compression algorithm undefined, supported algorithms are [gzip deflate zstd br]
import http from 'k6/http';

export default function () {
  for (const name of ['timeout', 'compression', 'responseType', 'headers', 'tags', 'responseCallback']) {
    const r = http.get(`${__ENV.URL}/text`, { [name]: null });
    console.log(r.error === '' ? `${name} ${r.status}` : `${name} ${r.status} ${r.error}`);
  }
  const r = http.get(`${__ENV.URL}/text`, { compression: undefined });
  console.log('undefined', r.status, r.error);
}
