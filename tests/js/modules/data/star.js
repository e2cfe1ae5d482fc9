export * as again from 'k6/http';
