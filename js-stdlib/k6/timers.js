// The global timers, as a module.
import * as natives from 'native:volley/globals';
import { once } from 'native:engine';

export const { setTimeout, clearTimeout, setInterval, clearInterval } = once('volley/timers', natives);
export default { setTimeout, clearTimeout, setInterval, clearInterval };
