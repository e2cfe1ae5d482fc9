exports.text = open('words.txt');
