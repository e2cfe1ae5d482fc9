// Without a source there are no secrets.
// console: no secret sources are configured
import secrets from 'k6/secrets';

export default async function () {
  await secrets.get('k').catch((error) => console.log(String(error)));
}
