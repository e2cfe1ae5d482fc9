// TypeScript runs as it is: types are taken out, nothing has to be built.
import http from 'k6/http';
import { check } from 'k6';
import type { Options } from 'k6/options';

const BASE_URL: string = __ENV.BASE_URL || 'http://127.0.0.1:8080';

interface Health {
  status: 'ok' | 'ill';
  risks: number;
}

export const options: Options = { vus: 1, iterations: 2 };

export default function (): void {
  const health = http.get(`${BASE_URL}/health`).json() as unknown as Health;
  check(health, { 'is well': (h: Health): boolean => h.status === 'ok' && h.risks > 0 });
}
