console.log('first');
export {}; 
