export { open } from 'k6/x/ssh';
export * from 'k6/x/more';
