export { open } from 'k6/x/amqp';
export * from 'k6/x/more';
