// k6/experimental/websockets: the former name of k6/websockets.
import { warn } from 'native:k6/websockets';
import { WebSocket, Blob } from 'k6/websockets';

warn('k6/experimental/websockets is deprecated and will be removed in a future release. Please use k6/websockets instead.', true);

export { WebSocket, Blob };
export default { WebSocket, Blob };
