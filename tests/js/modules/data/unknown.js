import 'k6/zzz';
