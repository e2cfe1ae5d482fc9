export const options = {
  vus: 4,
  stages: [{ duration: '1h', target: 9 }],
};

export function api() {
  console.log('api');
}
