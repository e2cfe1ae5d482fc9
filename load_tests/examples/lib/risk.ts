// The shapes of the register, and a client that knows them.
import http, { type RefinedResponse, type ResponseType } from 'k6/http';

export enum Status { Open = 'open', Closed = 'closed' }

export interface Risk {
  id: string;
  title: string;
  impact: number;
  status: Status;
}

export interface Page<T> {
  data: T[];
  total: number;
}

export class Register {
  constructor(private readonly baseUrl: string, private readonly pageSize = 10) {}

  list(status?: Status): Page<Risk> {
    const query = status ? `&status=${status}` : '';
    return this.read(`/api/risks?limit=${this.pageSize}${query}`).json() as unknown as Page<Risk>;
  }

  read(path: string): RefinedResponse<ResponseType> {
    return http.get(`${this.baseUrl}${path}`);
  }
}
