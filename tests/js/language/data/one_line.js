export const oneLine=()=>{return'a module of one line'},oneLine2=function(){return()=>"another of them"},OneLine=class{x=1;some(){return this.x}};
