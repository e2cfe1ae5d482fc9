const { text } = require('./opens.js');

export const bothWays = open('words.txt') === text ? text : 'other words';
export const later = (name) => open(name);
