// A source map says where code came from.
// log: Error: mapped...source_map_original.ts:11:4...
// log: Couldn't load source map for file://...
import './data/dangling.js';
export default function () {
throw new Error('mapped'); }
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjogMywgInNvdXJjZXMiOiBbInNvdXJjZV9tYXBfb3JpZ2luYWwudHMiXSwgIm1hcHBpbmdzIjogIjs7Ozs7QUFVSSJ9
