(() => {
  const details = JSON.parse(document.getElementById("filters-data").textContent);
  const buttons = [...document.querySelectorAll(".mosaic button")];
  const columns = Number(getComputedStyle(document.querySelector(".mosaic")).getPropertyValue("--columns"));
  const detail = document.querySelector(".detail");
  const wide = matchMedia("(min-width: 44rem)");
  let shown = -1;

  const hide = () => {
    if (shown < 0) return;
    buttons[shown].setAttribute("aria-pressed", "false");
    detail.hidden = true;
    shown = -1;
  };

  const show = (index) => {
    if (index === shown) return;
    for (const button of buttons) {
      button.setAttribute("aria-pressed", "false");
      button.tabIndex = -1;
    }
    shown = index;
    buttons[index].setAttribute("aria-pressed", "true");
    buttons[index].tabIndex = 0;
    detail.querySelector("h3").textContent = `Feature ${index}`;
    detail.querySelector(".feature").src = buttons[index].firstElementChild.src;
    detail.querySelector(".gabor").src = details[index].gabor;
    detail.querySelector("dl").replaceChildren(...details[index].facts.flatMap(([name, value]) => {
      const term = document.createElement("dt"), description = document.createElement("dd");
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }));
    detail.hidden = false;
  };

  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  buttons.forEach((button, index) => {
    button.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(index); });
    button.addEventListener("focus", () => { if (button.matches(":focus-visible")) show(index); });
    button.addEventListener("click", () => {
      if (index === shown && !wide.matches) hide();
      else show(index);
    });
    button.addEventListener("keydown", (event) => {
      const next = buttons[index + (steps[event.key] ?? NaN)];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  });
  detail.querySelector(".close").addEventListener("click", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !wide.matches) hide(); });
  if (wide.matches) show(0);
})();
