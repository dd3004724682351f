/** `npm run bench`: measures side by side, one file per question. */
console.log('No question yet')
