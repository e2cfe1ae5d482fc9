// k6/net/grpc: clients. Messages are made, sent and read in Rust; streams are in a lazy script.
import { constants, client, load, loadProtoset, connect, healthCheck, close } from 'native:k6/net/grpc';
import * as native from 'native:k6/net/grpc';
import * as natives from 'native:volley/globals';
import { bind, evaluate, once, call, primordials } from 'native:engine';

const { ArrayIsArray, JSONStringify, ObjectDefineProperty, String, TypeError } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');

const text = (value) => (value === undefined || value === null ? '' : String(value));
function texts(list) {
  const result = [];
  for (let at = 0; at < list.length; at++) result[at] = text(list[at]);
  return result;
}
// Numbers JSON does not have go as texts.
const worded = (key, value) =>
  typeof value === 'bigint' || (typeof value === 'number' && value - value !== 0) ? String(value) : value;

// A message as JSON with such texts; a list of nothing, and why, where there is none.
function wordedJson(message) {
  try {
    return JSONStringify(message, worded);
  } catch (error) {
    const why = error instanceof TypeError ? 'cyclic reference to an object found' : text(error);
    return [undefined, `unable to normalize number strings: ${why}`];
  }
}

// A message as JSON, or why there is none, for two arguments.
function json(message) {
  if (message === undefined || message === null) return [];
  try {
    const plain = JSONStringify(message);
    if (plain === undefined || call(primordials.StringPrototypeIndexOf, plain, 'null') < 0) return [plain];
  } catch {
    // Said below, if it still holds.
  }
  const made = wordedJson(message);
  return ArrayIsArray(made) ? made : [made];
}

export class Client {
  constructor() {
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: client() });
  }
  load(folders, ...files) {
    if (folders !== undefined && folders !== null && !ArrayIsArray(folders)) {
      throw new TypeError(`could not convert function call parameter 0: could not convert ${folders} to []string`);
    }
    return load(this, texts(folders ?? []), texts(files));
  }
  loadProtoset(path) {
    return loadProtoset(this, text(path));
  }
  connect(address, params) {
    return connect(this, text(address), params);
  }
  healthCheck(service) {
    return healthCheck(this, text(service));
  }
  close() {
    close(this);
  }
}
// Calls go to Rust with the script's own values.
function direct(name) {
  const value = bind('k6/net/grpc', name, name, 3, NATIVE, text, JSONStringify, wordedJson);
  ObjectDefineProperty(Client.prototype, name, { __proto__: null, value, writable: true, configurable: true });
}
direct('invoke');
direct('asyncInvoke');

let streamScript;
export function Stream(client, method, params) {
  const bind = natives.propagatesContext() ? once('volley/async_context').bind : (handler) => handler;
  return new (streamScript ??= evaluate('k6/net/grpc/stream')(native, { bind, NATIVE, text, json, timers: () => once('volley/timers', natives, { once, primordials }), primordials }))(client, method, params);
}

const members = constants();
export default { Client, Stream, ...members };
export const {
  StatusOK, StatusCanceled, StatusUnknown, StatusInvalidArgument, StatusDeadlineExceeded, StatusNotFound,
  StatusAlreadyExists, StatusPermissionDenied, StatusResourceExhausted, StatusFailedPrecondition, StatusAborted,
  StatusOutOfRange, StatusUnimplemented, StatusInternal, StatusUnavailable, StatusDataLoss, StatusUnauthenticated,
  HealthCheckUnknown, HealthCheckServing, HealthCheckNotServing, HealthCheckServiceUnkown,
} = members;
