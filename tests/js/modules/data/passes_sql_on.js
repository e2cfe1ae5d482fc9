export { open } from 'k6/x/sql';
export * from 'k6/x/more';
