// log: "k6/ws" has no export named "WebSocket": "k6/websockets" has it (file://
import { WebSocket } from 'k6/ws';
export default function () {}
