import { createApp } from 'vue';
import DeskApp from './DeskApp.vue';
import './desk.css';

createApp(DeskApp).mount('#app');
