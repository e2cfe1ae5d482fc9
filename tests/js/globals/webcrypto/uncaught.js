// A refusal nobody handles ends the iteration with its name and text.
// console: before
// log: Uncaught (in promise) OperationError: invalid key length
export default async function () {
  console.log('before');
  await crypto.subtle.generateKey({ name: 'AES-CBC', length: 100 }, true, ['encrypt']);
  console.log('never');
}
