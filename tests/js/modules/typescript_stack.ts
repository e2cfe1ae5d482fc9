// Positions are those of the file with its types, columns counted from 0.
// console: typescript_stack.ts:11 typescript_stack.ts:18
// log: Error: from line 11...typescript_stack.ts:11:...
interface Long {
  name: string;
  more: number;
}

class Thrower {
  fail(why: Long['name']): never {
    throw new Error(why);
  }
}
type Nothing = undefined;

export default function (): Nothing {
  try {
    new Thrower().fail('from line 11');
  } catch (error) {
    const lines = ((error as Error).stack as string).split('\n').slice(1, 3);
    console.log(lines.map((line) => /\/([\w.]+:\d+):\d+/.exec(line)![1]).join(' '));
    throw error;
  }
}
