// What is sent after the goodbye is counted, as k6 counts it, and an error tells of it.
// console: error websocket: close sent
// console: 101
import ws from 'k6/ws';

export const options = { thresholds: { ws_msgs_sent: ['count==3'], 'ws_msgs_sent{status:101}': ['count==3'] } };

export default function () {
  const { status } = ws.connect(`${__ENV.URL.replace('http', 'ws')}/ws/echo`, (socket) => {
    socket.on('error', (error) => console.log('error', error.error()));
    socket.on('open', () => {
      socket.send('in time');
      socket.send('in time');
      socket.close();
      socket.send('late');
    });
  });
  console.log(status);
}
