// open(): a file in init code. The first pass is told from where, for k6's warning about relative names. A part.
({ open: read, isFirstPass }) => {
const open = (path, mode) => read(path, mode, isFirstPass() ? new Error().stack : undefined);
return open;
}
