export let count = 0;
count += 1;
export default 42;
