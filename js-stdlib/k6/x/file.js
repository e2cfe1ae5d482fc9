// k6/x/file: files of this machine, for scripts that may write them.
import { declare, work } from 'native:k6/x/file';
import { primordials } from 'native:engine';

const { String } = primordials;

declare();

export const writeString = (path, text) => work('writeString', String(path), String(text));
export const appendString = (path, text) => work('appendString', String(path), String(text));
export const writeBytes = (path, bytes) => work('writeBytes', String(path), bytes);
export const readFile = (path) => work('readFile', String(path));
export const clearFile = (path) => work('clearFile', String(path));
export const renameFile = (from, to) => work('renameFile', String(from), String(to));
export const deleteFile = (path) => work('deleteFile', String(path));
export const removeRowsBetweenValues = (path, first, last) => work('removeRowsBetweenValues', String(path), first, last);
export const createDirectory = (path) => work('createDirectory', String(path));
export const deleteDirectory = (path) => work('deleteDirectory', String(path));

export default {
  writeString,
  appendString,
  writeBytes,
  readFile,
  clearFile,
  renameFile,
  deleteFile,
  removeRowsBetweenValues,
  createDirectory,
  deleteDirectory,
};
