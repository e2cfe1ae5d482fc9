// The global timers, as a module.
import { timers } from 'volley/globals';

export const { setTimeout, clearTimeout, setInterval, clearInterval } = timers();
export default { setTimeout, clearTimeout, setInterval, clearInterval };
