// open(): a file in init code. The first pass passes the caller's stack, for k6's warning about relative names. A lazy script.
({ open: read, isFirstPass }) => {
const open = (path, mode) => read(path, mode, isFirstPass() ? new Error().stack : undefined);
return open;
}
