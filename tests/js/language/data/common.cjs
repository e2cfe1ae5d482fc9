exports.common=(a)=>a+"a CommonJS module";
