// The global timers, as a module.
import * as natives from 'native:volley/globals';
import { once, primordials } from 'native:engine';

export const { setTimeout, clearTimeout, setInterval, clearInterval } = once('volley/timers', natives, { once, primordials });
export default { setTimeout, clearTimeout, setInterval, clearInterval };
