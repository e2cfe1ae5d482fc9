export const options = { ext: { loadimpact: { projectID: 1, name: 'nobody reads this' } } };
export default function () {
  console.log('ran');
}
