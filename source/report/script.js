'use strict';
for (const box of document.querySelectorAll('.time')) {
  const slider = box.querySelector('input');
  const sheets = box.querySelectorAll('img');
  const said = box.querySelector('output');
  const show = () => {
    sheets.forEach((sheet, i) => { sheet.hidden = i !== Number(slider.value); });
    const iteration = sheets[slider.value].dataset.iteration;
    said.textContent = iteration;
    slider.setAttribute('aria-valuetext', 'iteration ' + iteration);
  };
  slider.addEventListener('input', show);
  box.querySelector('.control').hidden = false;
  show();
}
