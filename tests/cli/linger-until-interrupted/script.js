export default function () {}
export function teardown() {
  console.log('torn down');
}
