export const read=()=>{const t={a:{}};t.a.b.c.d};
