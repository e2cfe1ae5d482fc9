// log: A batch request failed
import http from 'k6/http';

export default function () {
  http.batch([{ method: 'GET', ulr: __ENV.URL }]);
}
