// k6/x/ssh: commands on other machines. A VU has one connection.
import { declare, connect as open, run as execute } from 'native:k6/x/ssh';
import { primordials } from 'native:engine';

declare();

export const connect = (options) => open(options);
export const run = (command) => execute(primordials.String(command));
export default { connect, run };
