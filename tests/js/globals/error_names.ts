// As in JavaScript, behind types and bridges to CommonJS.
// console: list.nope is not a function
// console: gone is not a function
import { gone } from './data/common.js';

interface List { nope?: () => void }
enum Kind { A, B }
const list: List = { nope: undefined };
const told: Array<() => void> = [() => { list.nope!(); }, () => (gone as () => void)()];
export default function (): void {
  for (const tell of told) {
    try { tell(); } catch (error: any) { console.log(error.message); }
  }
}
