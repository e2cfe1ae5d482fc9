// Positions are those of the file with its types, columns counted from 0.
// console: typescript_stack.ts:12 typescript_stack.ts:19
// log: Error: from line 12...typescript_stack.ts:12:...
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
    new Thrower().fail('from line 12');
  } catch (error) {
    const lines = ((error as Error).stack as string).split('\n').slice(1, 3);
    console.log(lines.map((line) => /\/([\w.]+:\d+):\d+/.exec(line)![1]).join(' '));
    throw error;
  }
}
