// log: http is not defined
// hint: it is imported: `import http from 'k6/http'`
export default function (): void {
  http.get('http://127.0.0.1:9/');
}
