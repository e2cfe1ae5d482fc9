export interface Shape { width: number; height: number }
export type Name = string;
export const area = (shape: Shape): number => shape.width * shape.height;
export default class Box implements Shape {
  constructor(public width: number, public height = 2) {}
}
