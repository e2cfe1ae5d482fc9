// k6/x/tls: what a server's certificate says. It is not verified.
import { declare, getCertificate as get } from 'native:k6/x/tls';
import { primordials } from 'native:engine';

declare();

export const getCertificate = (target) => get(target === undefined || target === null ? '' : primordials.String(target));
export default { getCertificate };
