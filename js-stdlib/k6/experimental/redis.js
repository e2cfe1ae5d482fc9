// k6/experimental/redis: the former name of k6/x/redis.
import { warn } from 'native:k6/x/redis';
import { Client } from 'k6/x/redis';

warn();

export { Client };
export default { Client };
