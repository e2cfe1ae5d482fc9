// A typed client in a module of its own, with an enum and parameter properties.
import { check } from 'k6';
import { Register, Status, type Page, type Risk } from './lib/risk.ts';

const register = new Register(__ENV.BASE_URL || 'http://127.0.0.1:8080');

export const options = { vus: 1, iterations: 2 } satisfies object;

export default function (): void {
  const open: Page<Risk> = register.list(Status.Open);
  check(open, {
    'all of them are open': (page) => page.data.every((risk: Risk) => risk.status === Status.Open),
    'a page is not longer than asked for': (page) => page.data.length <= 10,
  });
}
