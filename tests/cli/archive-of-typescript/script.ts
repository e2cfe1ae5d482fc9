import { helper } from './helper.js';
import { area, type Shape } from './shape.ts';

const words: string = open('words.txt');

export default function (): void {
  const shape: Shape = { width: 2, height: 3 };
  console.log(helper(words), area(shape));
}
