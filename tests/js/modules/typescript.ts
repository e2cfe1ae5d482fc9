// Types vanish; enums, namespaces and parameter properties become code.
// console: 0 6 Green b 2 A,B
// console: 3 2 false 8 1
// console: 6 2 two 1
import { check } from 'k6';
import type { Name } from './data/shapes.ts';
import Box, { area, type Shape } from './data/shapes.ts';
import unused from './data/null.js';

enum Color { Red, Green = 5, Blue }
enum Word { A = 'a', B = 'b' }
const enum Flag { One = 1 << 0, Two = 1 << 1 }
abstract class Base<T> {
  declare hidden: T;
  constructor(private readonly a: number, public b = 2) {}
  abstract get name(): string;
  sum(): number { return this.a + this.b; }
}
class Part extends Base<string> {
  #secret = 1;
  override get name(): string { return String(this.#secret); }
}
namespace Tools { export const one = 1; export function twice(n: number): number { return n * 2 * one; } }
function over(x: string): string;
function over(x: number): number;
function over(x: any): any { return x; }

export const options: { iterations: number } = { iterations: 1 } satisfies object;
export default function (): void {
  console.log(Color.Red, Color.Blue, Color[5], Word.B, Flag.Two, Object.keys(Word).join());
  const part = new Part(1);
  console.log(part.sum(), part.b, 'hidden' in part, Tools.twice(4), part.name);
  const shape: Shape = { width: 2, height: 3 };
  const pair: [number, Name] = [1, 'two'];
  console.log(area(shape), (new Box(1) as Shape).height, pair[1]!, <number>over(1));
  check(null, { fine: (): boolean => true });
}
