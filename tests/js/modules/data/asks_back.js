// Requires an ES module that imports this.
try {
  require('./imports_asker.js');
} catch (error) {
  exports.refused = error.message.split('/').pop();
}
