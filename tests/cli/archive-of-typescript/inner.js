module.exports = 'packed ';
