// exit: 107
// log: The moduleSpecifier "axios"
// hint: requests are made with `k6/http`
import axios from 'axios';
export default function () {}
