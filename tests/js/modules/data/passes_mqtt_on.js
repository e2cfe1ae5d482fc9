export { open } from 'k6/x/mqtt';
export * from 'k6/x/more';
