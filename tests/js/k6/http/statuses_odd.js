// What `expectedStatuses` and callbacks take.
// console: argument number 1 to expectedStatuses was neither an integer nor an object like {min:100, max:329}
// console: both min and max need to be integers for argument number 1
// console: unsupported argument, expected http.expectedStatuses
// console: unsupported argument, expected http.expectedStatuses
// console: unsupported responseCallback
import http from 'k6/http';

const failure = (f) => {
  try {
    f();
  } catch (error) {
    return error.message;
  }
};

export default function () {
  console.log(failure(() => http.expectedStatuses({ min: 200 })));
  console.log(failure(() => http.expectedStatuses({ min: '200', max: 300 })));
  console.log(failure(() => http.setResponseCallback(undefined)));
  console.log(failure(() => http.setResponseCallback({})));
  console.log(http.get(`${__ENV.URL}/text`, { responseCallback: {} }).error);
}
