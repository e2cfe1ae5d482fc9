// A client of the register, as an ES module.
import http from 'k6/http';

export class Api {
  constructor(baseUrl, token) {
    this.baseUrl = baseUrl;
    this.headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  }

  static login(baseUrl) {
    const credentials = { email: 'admin@demo.local', password: 'demo-password' };
    return new Api(baseUrl, http.post(`${baseUrl}/api/v1/auth/login`, credentials).json('token'));
  }

  get(path, name) {
    return http.get(this.baseUrl + path, { headers: this.headers, tags: { name: name || path } });
  }

  post(path, body) {
    return http.post(this.baseUrl + path, JSON.stringify(body), { headers: this.headers, tags: { name: path } });
  }
}
