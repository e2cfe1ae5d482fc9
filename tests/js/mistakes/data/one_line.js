export const read=()=>{const t={a:{}};t.a.b.c.d};export const call=()=>{const t={};t.go()}
